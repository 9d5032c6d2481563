"""Sizes of vision transformers, by name."""

from mmpretrain.models.backbones import VisionTransformer

ARCHS = {
    **VisionTransformer.arch_zoo,
    # mmpretrain's 'small' is 768 wide with 8 layers; the field's ViT-S is DeiT's.
    **dict.fromkeys(['s', 'small'], VisionTransformer.arch_zoo['deit-small']),
    **dict.fromkeys(['t', 'tiny'], VisionTransformer.arch_zoo['deit-tiny']),
}
ARCH_KEYS = ('embed_dims', 'num_layers', 'num_heads', 'feedforward_channels')


def resolve_arch(arch) -> dict:
    """An architecture by name or as a dict.

    Raises:
        ValueError: For an unknown name or a dict without one of the four sizes.
    """
    if isinstance(arch, str):
        if arch.lower() not in ARCHS:
            raise ValueError(
                f'arch {arch!r} is unknown: choose from {sorted(ARCHS)}, '
                f'or give a dict with {ARCH_KEYS}.'
            )
        return ARCHS[arch.lower()]
    missing = [key for key in ARCH_KEYS if key not in arch]
    if missing:
        raise ValueError(f'arch {dict(arch)} lacks {missing}: a dict needs {ARCH_KEYS}.')
    return dict(arch)
