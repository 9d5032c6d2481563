"""Detection, segmentation and fine-tuning with their own augmentation resume bit for bit."""

import shutil

import pytest
import torch
from recipes import write_config
from splits import run

from mmmim.datasets.scenes import Settings, make_scenes

SHORT = """
train_dataloader = dict(batch_size=2, num_workers=1, dataset=dict({root}))
train_cfg = dict(_delete_=True, by_epoch={by_epoch})
default_hooks = dict(
    checkpoint=dict(type='mmmim.CheckpointHook', interval=3, by_epoch=False, max_keep_ckpts=9)
)
auto_scale_lr = dict(base_batch_size=4)
custom_hooks = []
val_cfg = val_dataloader = val_evaluator = None
test_cfg = test_dataloader = test_evaluator = None
"""
BASES = dict(
    det='mask-rcnn_vit-demo-p8_deconv-fpn_1xb16-amp-coslr-8e_scenes',
    seg='upernet_vit-demo-p8_1xb16-amp-coslr-400it_scenes-64x64',
    cls='finetune_vit-demo-p8_1xb32-amp-coslr-30e_scenes-64px',
)


@pytest.mark.parametrize('name', ['det', pytest.param('seg', marks=pytest.mark.long), 'cls'])
def test_resume(tmp_path, name):
    counts = dict(unlabeled=2, train=8, tune=2, val=2)
    make_scenes(str(tmp_path / 'scenes'), Settings(counts=counts), processes=1)
    by_epoch = name != 'seg'
    words = dict(root="data_root='{data}/'")
    words['by_epoch'] = 'True, max_epochs=3' if by_epoch else 'False, max_iters=6'
    head = "_base_ = ['{root}/configs/demo/" + BASES[name] + ".py']\n"
    text = head + SHORT.replace('{root}', words['root']).replace('{by_epoch}', words['by_epoch'])
    if not by_epoch:
        text += "param_scheduler = [dict(type='PolyLR', by_epoch=False, begin=0)]\n"
    config = write_config(tmp_path, text, f'{name}_resumed', tmp_path / 'scenes')
    run(config, tmp_path / 'whole', 1)
    last = (tmp_path / 'whole/last_checkpoint').read_text().strip()
    (tmp_path / 'part').mkdir()
    middle = 'iter_9.pth' if by_epoch else 'iter_6.pth'  # 9: within an epoch and an accumulation
    shutil.copy(tmp_path / 'whole' / middle, tmp_path / 'part')
    (tmp_path / 'part/last_checkpoint').write_text(middle)
    run(config, tmp_path / 'part', 1, '--resume')
    again = (tmp_path / 'part/last_checkpoint').read_text().strip()
    assert last.rsplit('/', 1)[1] == again.rsplit('/', 1)[1] == 'iter_12.pth'
    ends = [torch.load(path, weights_only=True) for path in (last, again)]
    for key, value in ends[0]['state_dict'].items():
        assert torch.equal(value, ends[1]['state_dict'][key]), key
