"""T3: backbones on large images, forward and backward, against mmseg's MAE and mmpretrain's ViTSAM.

Same blocks, relative positions and weights; what is compared is the mean square of the features.
"""

import torch

from .data import uint8_images

SIZES = {
    'tiny': dict(width=32, depth=4, heads=4, patch=8, window=3),
    'base': dict(width=768, depth=12, heads=12, patch=16, window=14),
    'large': dict(width=1024, depth=24, heads=16, patch=16, window=14),
}
SIDES = {'upernet': 512, 'window': 1024}


def _sizes(setting, task):
    s = dict(SIZES[setting.arch], side=setting.side or SIDES[task])
    if setting.arch == 'tiny' and setting.side is None:
        s['side'] = 8 * s['patch']
    quarter = s['depth'] // 4
    s['taps'] = [quarter * k - 1 for k in (1, 2, 3, 4)]
    s['arch'] = dict(
        embed_dims=s['width'],
        num_layers=s['depth'],
        num_heads=s['heads'],
        feedforward_channels=4 * s['width'],
    )
    return s


def _build(config, scope):
    from mmengine.registry import DefaultScope

    from mmmim.registry import MODELS

    with DefaultScope.overwrite_default_scope(scope):
        return MODELS.build(config)


def upernet_mmmim(setting):
    """With a table of relative positions per block."""
    s = _sizes(setting, 'upernet')
    config = dict(
        type='mmmim.MaskedBEiT',
        arch=s['arch'],
        img_size=s['side'],
        patch_size=s['patch'],
        masked='drop',
        rel_pos='per_block',
        pos_embed='sincos',
        init='mae',
        layer_scale_init_value=1.0,
        out_type='featmap',
        out_indices=s['taps'],
        final_norm=False,
    )
    return _build(config, 'mmpretrain'), s


def upernet_mmseg(setting):
    import mmseg.models  # noqa: F401

    s = _sizes(setting, 'upernet')
    config = dict(
        type='mmseg.MAE',
        img_size=(s['side'], s['side']),
        patch_size=s['patch'],
        embed_dims=s['width'],
        num_layers=s['depth'],
        num_heads=s['heads'],
        mlp_ratio=4,
        init_values=1.0,
        out_indices=s['taps'],
        norm_cfg=dict(type='LN', eps=1e-6),
    )
    return _build(config, 'mmseg'), s


def window_mmmim(setting):
    """ViTDet's: windows that see their padding, decomposed relative positions, learnt positions."""
    s = _sizes(setting, 'window')
    config = dict(
        type='mmmim.MaskedViT',
        arch=s['arch'],
        img_size=s['side'],
        patch_size=s['patch'],
        with_cls_token=False,
        window_size=s['window'],
        global_blocks=s['taps'],
        see_padding=True,
        rel_pos='decomposed',
        pos_embed='learned',
        out_type='featmap',
        final_norm=False,
    )
    return _build(config, 'mmpretrain'), s


def window_mmpretrain(setting):
    s = _sizes(setting, 'window')
    config = dict(
        type='ViTSAM',
        arch=dict(s['arch'], global_attn_indexes=s['taps']),
        img_size=s['side'],
        patch_size=s['patch'],
        out_channels=0,
        window_size=s['window'],
    )
    return _build(config, 'mmpretrain'), s


BUILDERS = dict(upernet=dict(mmmim=upernet_mmmim, mmseg=upernet_mmseg),
                window=dict(mmmim=window_mmmim, mmpretrain=window_mmpretrain))  # fmt: skip


def energy(model, images):
    """Mean square of the last map (of all of them where there are several)."""
    maps = model(images)
    maps = maps if isinstance(maps, (tuple, list)) else (maps,)
    return torch.stack([one.float().square().mean() for one in maps]).mean()


def _images(setting, side, count=None):
    images = uint8_images(count or setting.batch, side).to(setting.device)
    return images.float().sub_(127.5).div_(58)


def _maker(task, name):
    def maker(setting):
        if name == 'mmmim':  # as its trainings do on a CPU; others keep their habit
            from mmmim.engine.allocator import keep_freed_memory

            keep_freed_memory()
        model, s = BUILDERS[task][name](setting)
        model.to(setting.device).train()
        images = _images(setting, s['side'])

        def train(turns):
            turns.begin()
            while True:
                for parameter in model.parameters():
                    parameter.grad = None
                with setting.autocast():
                    loss = energy(model, images)
                loss.backward()
                turns(setting.batch)

        return train

    return maker


upernet_ours, upernet_theirs = _maker('upernet', 'mmmim'), _maker('upernet', 'mmseg')
window_ours, window_theirs = _maker('window', 'mmmim'), _maker('window', 'mmpretrain')


def load_ours(task, model, state):
    """Our weights into the other toolkit's backbone, whose positions or biases are shaped
    differently."""
    names, renamed = dict(model.named_parameters()), {}
    for name, value in state.items():
        if task == 'window' and name == 'pos_embed':
            value = value.reshape(names[name].shape)
        if name.endswith('.q_bias'):
            name = name.replace('q_bias', 'qkv.bias')
            value = torch.cat([value, torch.zeros_like(value), state[name[:-8] + 'v_bias']])
        if not name.endswith('.v_bias'):
            renamed[name] = value
    missing, unexpected = model.load_state_dict(renamed, strict=False)
    missing = [name for name in missing if name in names]
    if missing or unexpected:
        raise ValueError(f'weights do not fit: missing {missing[:2]}, unexpected {unexpected[:2]}')


def _differences(task):
    def differences(setting, names) -> dict:
        """As :func:`suite.mae.differences`, of the mean square of the features."""
        ours, s = BUILDERS[task]['mmmim'](setting)
        ours.init_weights()
        for name, parameter in ours.named_parameters():
            parameter.data.add_(torch.randn_like(parameter) * (0.2 if 'rel' in name else 0.01))
        images, found = _images(setting, s['side'], 1).cpu(), {}
        with torch.no_grad():
            ours.eval()
            expected = energy(ours, images).item()
            for name in names:
                theirs, _ = BUILDERS[task][name](setting)
                load_ours(task, theirs, ours.state_dict())
                theirs.eval()  # returns nothing in mmseg
                found[name] = abs(energy(theirs, images).item() - expected) / expected
        return found

    return differences


upernet_differences, window_differences = _differences('upernet'), _differences('window')
