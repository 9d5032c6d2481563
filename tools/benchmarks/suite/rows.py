"""What is measured: a row names contestants, the first of which the others are compared with."""

from dataclasses import dataclass, field

TIERS = {
    'T0': 'model step: forward and backward, data on the device',
    'T1': "train step through each toolkit's own loop: loader, preprocessing, optimizer, hooks",
    'T2': 'from JPEG files to batches, one process',
    'T3': 'dense backbones, forward and backward',
    'T4': 'options that change the work: no comparison at equal work',
}
PEERS = ('mmmim', 'mmpretrain', 'transformers', 'lightly', 'facebook')


@dataclass(frozen=True)
class Contestant:
    """Who: ``maker`` names a function of the suite, 'module:function'."""

    name: str
    maker: str
    dtype: str


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        name: On the command line.
        tier: A key of ``TIERS``.
        title: For people.
        contestants: The first is the reference: ratios are times of the others over its time.
        check: 'module:function' that compares losses at equal weights and masks, or None.
        goals: {contestant: ('at least' or 'at most', ratio)}.
        memory: Likewise of the peak memory of the process.
        costs: Whether ratios are costs beside the reference, to be compared with those of FLOPs.
        arch: See :data:`suite.settings.ARCHS`.
        batch: Images per step; None takes that of the command line.
        steps: Per turn; None likewise.
        rounds: Likewise, at most.
    """

    name: str
    tier: str
    title: str
    contestants: tuple[Contestant, ...]
    check: str | None = None
    goals: dict = field(default_factory=dict)
    memory: dict = field(default_factory=dict)
    costs: bool = False
    arch: str = 'base'
    batch: int | None = None
    steps: int | None = None
    rounds: int | None = None


def at_least(number):
    return ('at least', number)


def _mae(tier, module, name, title, dtypes, goals, **more):
    contestants = tuple(
        Contestant(peer, f'{module}:mae_{peer}', dtypes.get(peer, dtypes['others']))
        for peer in PEERS
    )
    return Row(name, tier, title, contestants, 'mae:differences', goals, **more)


def _same(dtype):
    return dict(others=dtype)


def _pair(tier, name, title, theirs, makers, dtype, check, goal, **more):
    ours, other = makers
    contestants = (Contestant('mmmim', ours, dtype), Contestant(theirs, other, dtype))
    return Row(name, tier, title, contestants, check, {theirs: goal}, **more)


AHEAD = dict.fromkeys(('transformers', 'lightly'), at_least(1.0))


def model_steps() -> list[Row]:
    """T0."""
    rows = []
    for dtype in ('fp32', 'bf16'):
        cae = ('steps:cae_mmmim', 'steps:cae_mmpretrain')
        title = f'CAE with DALL-E-shaped tokenizer, both {dtype}'
        rows += [
            _mae('T0', 'steps', f'mae-{dtype}', f'MAE, all {dtype}', _same(dtype), {}),
            _pair('T0', f'cae-{dtype}', title, 'mmpretrain', cae, dtype, 'cae:differences', None),
        ]
    names = ('mae-mmmim', 'r-mae', 'c-mae', 'c-mae-one-way')
    makers = [Contestant(n, f'steps:{n.replace("-", "_")}', 'bf16') for n in names]
    limits = {'r-mae': 2.88, 'c-mae': 5.08, 'c-mae-one-way': 2.54}
    goals = {name: ('at most', round(1.1 * value, 2)) for name, value in limits.items()}
    title = 'R-MAE and C-MAE beside our MAE, bf16'
    rows.append(Row('siamese-bf16', 'T0', title, tuple(makers), goals=goals, costs=True))
    return rows


def train_steps() -> list[Row]:
    """T1."""
    default = dict(others='fp32', mmmim='bf16')
    rows = [
        _mae('T1', 'loops', 'mae-train-default', 'MAE, default precision of each toolkit on a CPU',
             default, dict(mmpretrain=at_least(2.5))),
        _mae('T1', 'loops', 'mae-train-bf16', 'MAE, all bf16', _same('bf16'),
             dict(AHEAD, mmpretrain=at_least(1.5))),
        _mae('T1', 'loops', 'mae-train-fp32', 'MAE, all fp32', _same('fp32'),
             dict(AHEAD, mmpretrain=at_least(1.1))),
    ]  # fmt: skip
    for dtype, goal in (('bf16', 1.5), ('fp32', 1.1)):
        makers = ('loops:cae_mmmim', 'loops:cae_mmpretrain')
        title = f'CAE with DALL-E-shaped tokenizer, both {dtype}'
        rows.append(
            _pair('T1', f'cae-train-{dtype}', title, 'mmpretrain', makers, dtype,
                  'cae:differences', at_least(goal))
        )  # fmt: skip
    return rows


def other_rows() -> list[Row]:
    """T2, T3 and T4."""
    rows = [
        _pair('T2', 'loader', 'JPEG of 469x387 px to batches of 224 px', 'mmpretrain',
              ('loaders:mmmim', 'loaders:mmpretrain'), 'uint8', None, at_least(2.5), steps=2)
    ]  # fmt: skip
    for dtype in ('fp32', 'bf16'):
        # Images per GPU of the recipes: MAE's UperNet 8 x 2, ViTDet 64 x 1.
        for task, theirs, batch, title in (
            ('upernet', 'mmseg', 2, 'ViT-B of UperNet, 512 px, relative positions'),
            ('window', 'mmpretrain', 1, 'ViT-B in windows of Mask R-CNN, 1024 px'),
        ):
            makers = (f'dense:{task}_ours', f'dense:{task}_theirs')
            check = f'dense:{task}_differences'
            rows.append(
                _pair('T3', f'{task}-{dtype}', f'{title}, both {dtype}', theirs, makers, dtype,
                      check, at_least(1.3), memory={theirs: at_least(round(1 / 0.6, 2))},
                      batch=batch, steps=1, rounds=3)
            )  # fmt: skip
    mae = Contestant('mae', 'steps:mae_mmmim', 'bf16')
    timm = Contestant('timm', 'steps:timm_supervised', 'bf16')
    title = 'the same encoder, supervised, all tokens (timm)'
    rows.append(Row('anchor-bf16', 'T4', title, (mae, timm), costs=True))
    different = [mae]
    for name in ('cross-decoder', 'predict-quarter'):
        different.append(Contestant(name, f'options:{name.replace("-", "_")}', 'bf16'))
    title = 'a decoder of cross-attention; with it a quarter of the masked cells predicted'
    rows.append(Row('options-bf16', 'T4', title, tuple(different), costs=True))
    return rows


def cuda_rows() -> list[Row]:
    """MAE on a GPU: two sizes, three batches."""
    rows = []
    for arch in ('base', 'large'):
        for batch in (64, 512, 1024):
            goals = dict.fromkeys(('transformers', 'facebook'), at_least(1.3)) if batch > 64 else {}
            goals['mmpretrain'] = at_least(3.0 if batch == 64 else 1.8)
            title = f'MAE ViT-{arch[0].upper()}, batch {batch}, all bf16'
            row = _mae('T1', 'loops', f'mae-{arch}-b{batch}', title, _same('bf16'), goals,
                       arch=arch, batch=batch)  # fmt: skip
            rows.append(row)
    return rows


def rows_for(device: str) -> list[Row]:
    """All rows of a device."""
    rows = [*model_steps(), *train_steps(), *other_rows()]
    return rows if device == 'cpu' else cuda_rows() + [row for row in rows if row.tier != 'T2']
