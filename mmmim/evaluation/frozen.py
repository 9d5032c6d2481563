"""The frozen protocols: k-NN and linear probe on features that were computed once."""

from .features import extract_features
from .knn import knn_predict
from .linear_probe import choose_linear_probe

PROTOCOLS = ('knn', 'lin')


def evaluate_frozen(cfg, backbone, feature: str = 'mean', protocols=PROTOCOLS) -> dict:
    """Top-1 in per cent of each protocol on the tune and the val split.

    Args:
        cfg: Classification config, see :func:`~mmmim.evaluation.features.split_loader`.
        backbone: Of :func:`~mmmim.evaluation.features.build_encoder`.
        feature: 'mean' or 'cls'.
        protocols: 'knn' and 'lin'; the weight decay of 'lin' is chosen on the tune split.

    Returns:
        dict: ``tune`` and ``val``, each protocol -> accuracy; ``lin_decay`` and ``lin_tried``.

    Raises:
        ValueError: For an unknown protocol.
    """
    unknown = set(protocols) - set(PROTOCOLS)
    if unknown:
        raise ValueError(f'unknown protocol {min(unknown)!r}: known are {", ".join(PROTOCOLS)}.')
    splits = extract_features(cfg, backbone, feature)
    result = dict(tune={}, val={}, feature=feature)
    reported = {name: splits[name] for name in ('tune', 'val')}
    if 'knn' in protocols:
        for name, (features, labels) in reported.items():
            right = knn_predict(*splits['train'], features) == labels
            result[name]['knn'] = 100 * right.double().mean().item()
    if 'lin' in protocols:
        probe, decay, tried = choose_linear_probe(splits['train'], splits['tune'])
        result.update(lin_decay=decay, lin_tried={f'{key:g}': tried[key] for key in tried})
        for name, split in reported.items():
            result[name]['lin'] = probe.accuracy(*split)
    return result
