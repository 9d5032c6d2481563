"""The frozen protocols: k-NN and linear probe on features that were computed once."""

from .features import extract_features
from .knn import knn_predict
from .linear_probe import choose_linear_probe

PROTOCOLS = ('knn', 'lin')


def evaluate_frozen(
    cfg,
    backbone,
    feature: str = 'mean',
    protocols=PROTOCOLS,
    neighbours=(20,),
    temperature: float = 0.07,
) -> dict:
    """Top-1 in per cent of each protocol on the tune and the val split.

    Args:
        cfg: Classification config, see :func:`~mmmim.evaluation.features.split_loader`.
        backbone: Of :func:`~mmmim.evaluation.features.build_encoder`.
        feature: 'mean' or 'cls'.
        protocols: 'knn' and 'lin'; the weight decay of 'lin' is chosen on the tune split.
        neighbours: Numbers k of 'knn'; of several the best on the tune split is reported, a draw
            goes to the smallest.
        temperature: Of the votes of 'knn'.

    Returns:
        dict: ``tune`` and ``val``, each protocol -> accuracy; ``knn_k`` and ``knn_tried``,
            ``lin_decay`` and ``lin_tried``.

    Raises:
        ValueError: For an unknown protocol, or a k that the training split is too small for.
    """
    unknown = set(protocols) - set(PROTOCOLS)
    if unknown:
        raise ValueError(f'unknown protocol {min(unknown)!r}: known are {", ".join(PROTOCOLS)}.')
    splits = extract_features(cfg, backbone, feature)
    result = dict(tune={}, val={}, feature=feature)
    if 'knn' in protocols:
        device = next(backbone.parameters()).device
        bank, labels = (part.to(device) for part in splits['train'])
        tried = {
            k: accuracy_of_knn(bank, labels, splits['tune'], k, temperature) for k in neighbours
        }
        best = max(tried, key=lambda k: (tried[k], -k))
        result.update(knn_k=best, knn_tried={str(k): tried[k] for k in tried})
        result['tune']['knn'] = tried[best]
        result['val']['knn'] = accuracy_of_knn(bank, labels, splits['val'], best, temperature)
    if 'lin' in protocols:
        probe, decay, tried = choose_linear_probe(splits['train'], splits['tune'])
        result.update(lin_decay=decay, lin_tried={f'{key:g}': tried[key] for key in tried})
        for name in ('tune', 'val'):
            result[name]['lin'] = probe.accuracy(*splits[name])
    return result


def accuracy_of_knn(bank, labels, split, k: int, temperature: float) -> float:
    """Top-1 in per cent of :func:`~mmmim.evaluation.knn.knn_predict` on (features, labels)."""
    features, truth = split
    found = knn_predict(bank, labels, features, k, temperature).cpu()
    return 100 * (found == truth).double().mean().item()
