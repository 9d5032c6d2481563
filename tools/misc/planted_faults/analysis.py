"""Faults of what looks at trained models: CKA, attention, PSNR, hold-out measures."""

from .fault import Fault

CKA = 'mmmim/analysis/cka.py'
WEIGHTS = 'mmmim/analysis/attention_weights.py'
MAPS = 'mmmim/analysis/attention_maps.py'
PSNR = 'mmmim/analysis/psnr.py'


def tests(*names: str) -> tuple[str, ...]:
    return tuple(f'tests/analysis/test_{name}.py' for name in names)


FAULTS = (
    Fault(
        'biased for unbiased CKA',
        ((CKA, '    kernel.diagonal(dim1=-2, dim2=-1).zero_()\n', ''),),
        tests('cka'),
    ),
    Fault(
        'CKA as the mean of mini-batches instead of the ratio of sums',
        (
            (
                CKA,
                'value = _ratio(total)',
                'value = torch.stack([_ratio(t) for t in terms]).mean(0)',
            ),
        ),
        tests('cka'),
    ),
    Fault(
        'biased CKA without centring',
        ((CKA, 'features.double() - features.double().mean(0) for', 'features.double() for'),),
        tests('cka'),
    ),
    Fault(
        'attention drawn without the scale of its scores',
        ((WEIGHTS, ' * q.shape[-1] ** -0.5', ''),),
        tests('attention_weights'),
    ),
    Fault(
        'attention drawn without relative positions',
        ((WEIGHTS, 'return _softmax(q, k, bias)', 'return _softmax(q, k)'),),
        tests('attention_weights'),
    ),
    Fault(
        'attention to the class token drawn as that to a patch',
        ((MAPS, 'received = weights[:, 0, prefix:]', 'received = weights[:, 0, :-prefix]'),),
        tests('attention_maps'),
    ),
    Fault(
        'half of the attention without the patch that crosses it',
        ((MAPS, 'before = shares.cumsum(1) - shares', 'before = shares.cumsum(1)'),),
        tests('attention_maps'),
    ),
    Fault(
        'PSNR of all patches instead of the masked ones',
        (
            (
                PSNR,
                'return psnr(result.pred, result.input, inside)',
                'return psnr(result.pred, result.input)',
            ),
        ),
        tests('psnr'),
    ),
)
