"""The rows of the living table, in one place. A new row is one entry of METHODS."""

from __future__ import annotations

from dataclasses import dataclass

GROUPS = {
    'reference': 'Reference',
    'papers': "The papers' methods",
    'baselines': 'Baselines',
    'images': 'Few images',
    'mixtures': 'Mixtures',
}
SINGLE = ('papers', 'baselines')  # what a mixture has to beat


@dataclass(frozen=True)
class Method:
    """One row.

    Attributes:
        name: Of row and jobs.
        title: In the table.
        config: Start of the name of its config in configs/demo; '' trains nothing beforehand.
        group: Key of GROUPS.
        paper: Where it comes from.
        options: ``KEY=VALUE`` words on top of the config.
        needs: Names of PREREQUISITES.
        feature: Of the frozen protocols: 'mean' of the patch tokens or the class token 'cls'.
        images: Pre-train on that many images, another draw for each seed; 0 for all.
        headline: Every seed of it comes before the rest of its group.
    """

    name: str
    title: str
    config: str
    group: str
    paper: str
    options: tuple = ()
    needs: tuple = ()
    feature: str = 'mean'
    images: int = 0
    headline: bool = False


@dataclass(frozen=True)
class Prerequisite:
    """What several methods need made once.

    Attributes:
        name: Of the job.
        made: Paths in the methods' configs that start so are replaced by the job's folder.
        config: Start of the name of a config in configs/demo to train; '' for a tool.
        tool: Words of a command, ``{data}`` and ``{out}`` filled in.
        result: File that must be there afterwards.
    """

    name: str
    made: str
    result: str
    config: str = ''
    tool: tuple = ()


PREREQUISITES = (
    Prerequisite('dvae', 'work_dirs/dvae_demo', 'tokenizer.pth', config='dvae'),
    Prerequisite(
        'patch-stats',
        'data/stats',
        'scenes_p8.npz',
        tool=(
            *('tools/misc/target_stats.py', '{data}/unlabeled', '--patch-size', '8'),
            *('--resize', '64', '--crop', '64', '--workers', '1', '--out', '{out}/scenes_p8.npz'),
        ),
    ),
)

ROBUST, CAE, BEYOND = 'Robust MAE', 'CAE', 'Beyond Masking'
OCCLUSION = 'Understanding MIM (occlusion invariance)'
STRONG = 'occlusion invariance, Table 6'

# Robust MAE's Table 1 in the order of the table; all six with drop edge.
TARGETS = {
    'robust-mae-none': 'none',
    'robust-mae-none-pp': 'none + per-patch',
    'robust-mae-rgb': 'global RGB',
    'robust-mae': 'global RGB + per-patch',
    'robust-mae-patch': 'global patch',
    'robust-mae-patch-pp': 'global patch + per-patch',
}
FEW = {1: 'mae-1', 10: 'mae-10', 100: 'mae-100', 1000: 'mae-1000'}
ALL_IMAGES = 'mae-all'  # the same augmentation
SCRATCH, REFERENCE_COST = 'scratch', 'mae'


def _row(group, paper, name, title, config=None, **more) -> Method:
    return Method(name, title, name if config is None else config, group, paper, **more)


def _papers():
    robust = {
        'robust-mae-none': 'robust-mae-raw',
        'robust-mae-none-pp': 'robust-mae-raw-perpatch',
        'robust-mae-rgb': 'robust-mae-pixel',
        'robust-mae': 'robust-mae-globalrgb-perpatch',
        'robust-mae-patch': 'robust-mae-globalpatch',
        'robust-mae-patch-pp': 'robust-mae-globalpatch-perpatch',
    }
    yield _row('papers', 'MAE', 'mae', 'MAE', headline=True)
    for name, config in robust.items():
        needs = ('patch-stats',) if 'globalpatch' in config else ()
        title = f'Robust MAE, {TARGETS[name]}'
        main = name == 'robust-mae'
        yield _row('papers', ROBUST, name, title, config, needs=needs, headline=main)
    yield _row('papers', ROBUST, 'robust-mae-mid2', 'Robust MAE, mid-level mask tokens')
    yield _row('papers', CAE, 'cae', 'CAE, d-VAE tokens', needs=('dvae',), headline=True)
    yield _row('papers', CAE, 'cae-rgb', 'CAE, RGB target')
    beyond = {
        'zoomin-mask': 'Zoom-in + 75 % masking',
        'zoomin': 'Zoom-in, no masking',
        'zoomout': 'Zoom-out, no masking',
        'distortion': 'Distortion, no masking',
        'blur': 'Blur, no masking',
        'decolor': 'De-colour, no masking',
        'mask': 'Beyond Masking, masking alone',
    }
    for name, title in beyond.items():
        config, main = f'beyond-masking-{name}', name == 'zoomin-mask'
        yield _row('papers', BEYOND, f'beyond-{name}', title, config, headline=main)
    yield _row('papers', OCCLUSION, 'r-mae', 'R-MAE', headline=True)
    yield _row('papers', OCCLUSION, 'c-mae', 'C-MAE', headline=True)


def _baselines():
    tokens = dict(needs=('dvae',))
    cls = dict(feature='cls')
    yield _row('baselines', 'BEiT', 'beit', 'BEiT, d-VAE tokens', **tokens)
    yield _row('baselines', 'SimMIM', 'simmim', 'SimMIM')
    yield _row('baselines', 'MaskFeat', 'maskfeat', 'MaskFeat')
    yield _row('baselines', 'MoCo v3', 'mocov3', 'MoCo v3', **cls)
    yield _row('baselines', 'DINO', 'dino', 'DINO', **cls)
    yield _row('baselines', 'iBOT', 'ibot', 'iBOT', **cls)
    yield _row('baselines', 'SplitMask', 'splitmask', 'SplitMask', **tokens)
    yield _row('baselines', 'A2MIM', 'a2mim', 'A2MIM')
    yield _row('baselines', 'Ge2-AE', 'ge2ae', 'Ge2-AE')
    yield _row('baselines', 'DeiT', 'supervised', 'Supervised, 800 labels', 'deit', **cls)


def _few_images():
    for count, name in FEW.items():
        title = f'MAE on {count:,} image{"s" * (count > 1)}, stronger augmentation'
        yield _row('images', STRONG, name, title, 'mae-few-strong', images=count)
    title = 'MAE on all images, stronger augmentation'
    options = ('train_dataloader.dataset.num_images=None',)
    yield _row('images', STRONG, ALL_IMAGES, title, 'mae-few-strong', options=options)


def _mixtures():
    yield _mixture('hog-dropedge', 'HOG target, 75 % masked, drop edge')
    yield _mixture('r-mae-hog', 'R-MAE, HOG target, drop edge')
    yield _mixture('robust-mae-frequency', "Robust MAE, A2MIM's frequency loss")
    yield _mixture('zoomin-dropedge', 'Zoom-in, masking, drop edge')
    yield _mixture('r-mae-mid2', 'R-MAE, mid-level mask tokens')
    yield _mixture('cae-hog', 'CAE, HOG target, drop edge')
    yield _mixture('cae-dropedge', 'CAE, RGB target, drop edge')
    stats = ('patch-stats',)
    yield _mixture('robust-mae-block', 'Robust MAE, global patch, blocks', needs=stats)
    # Without a config of their own: drop edge with the global RGB target, and one change.
    start, title = 'robust-mae-pixel', 'Drop edge, global RGB'
    mid = ('model.backbone.mid_mask_depth=2', 'model.backbone.mid_mask_ratio=0.25')
    yield _mixture('edge-rgb-mid2', f'{title}, mid-level mask tokens', start, options=mid)
    squares = ('model.corruption.unit=16',)
    yield _mixture('edge-rgb-squares', f"{title}, SimMIM's squares", start, options=squares)


def _mixture(name, title, config=None, **more) -> Method:
    return _row('mixtures', 'none', f'mix-{name}', title, config, **more)


SCRATCH_ROW = Method(SCRATCH, 'Random initialisation', '', 'reference', '')
METHODS = (SCRATCH_ROW, *_papers(), *_baselines(), *_few_images(), *_mixtures())
