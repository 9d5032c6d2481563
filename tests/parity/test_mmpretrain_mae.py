"""MAE against mmpretrain's modules, whose parameter names are ours."""

import mae
import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.models.selfsup import MAE, MAEViT
from mmpretrain.models.utils import build_2d_sincos_position_embedding

from mmmim.models.position import sincos_table
from mmmim.registry import MODELS


def reference(sizes, norm_pix=True):
    arch = mae.config(sizes)['backbone']['arch']
    cfg = dict(
        type='mmpretrain.MAE',
        backbone=dict(
            type='mmpretrain.MAEViT',
            arch=arch,
            img_size=sizes['size'],
            patch_size=sizes['patch'],
            mask_ratio=0.75,
        ),
        neck=dict(
            type='mmpretrain.MAEPretrainDecoder',
            num_patches=(sizes['size'] // sizes['patch']) ** 2,
            patch_size=sizes['patch'],
            embed_dim=sizes['width'],
            decoder_embed_dim=sizes['dec_width'],
            decoder_depth=sizes['dec_depth'],
            decoder_num_heads=sizes['dec_heads'],
        ),
        head=dict(
            type='mmpretrain.MAEPretrainHead',
            norm_pix=norm_pix,
            patch_size=sizes['patch'],
            loss=dict(type='mmpretrain.PixelReconstructionLoss', criterion='L2'),
        ),
    )
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg)
        model.init_weights()
    assert type(model) is MAE and type(model.backbone) is MAEViT
    return mae.randomise(model)


@pytest.mark.parametrize('norm_pix', [True, False])
def test_mae_equals_mmpretrains(norm_pix):
    theirs = reference(mae.TINY, norm_pix)
    ours = mae.build(mae.TINY, target=dict(per_patch=norm_pix)).train()
    ours.load_state_dict(theirs.state_dict())
    batch = mae.views()
    latent, mask, restore = theirs.backbone(batch['image'])
    pred = theirs.neck(latent, restore)
    expected = theirs.head.loss(pred, batch['image'], mask)
    mask = mask.bool().reshape(3, 4, 4)
    torch.testing.assert_close(mae.predict(ours, batch, mask), pred, **mae.TOLERANCE)
    # Their latent is shuffled: token k of it is the cell that `restore` sends to k.
    order = restore.argsort(1)[:, :4]
    ours_latent = ours.backbone(batch['image'], mask)[:, 1:]
    for n in range(3):
        rank = order[n].argsort()
        torch.testing.assert_close(ours_latent[n], latent[n, 1:][rank], **mae.TOLERANCE)
    loss = ours.loss(batch, mask=mask)['loss']
    torch.testing.assert_close(loss, expected, **mae.TOLERANCE)
    loss.backward()
    expected.backward()
    mae.assert_same_gradients(mae.gradients(ours), mae.gradients(theirs))


def test_the_other_convention_is_mmpretrains():
    table = build_2d_sincos_position_embedding(4, 32, cls_token=True)
    ours = sincos_table(32, (4, 4), 1, 'row_first')
    torch.testing.assert_close(ours, table.float(), rtol=0, atol=1e-6)
