"""CAE that predicts histograms of gradients (MaskFeat), with drop edge (Robust MAE); no tokenizer.

Command: python tools/train.py
    configs/demo/mix-cae-hog_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'cae-rgb_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

target = dict(_delete_=True, type='mmmim.HOGTarget', patch_size=8, pool=4)
loss = dict(_delete_=True, type='mmmim.MaskedRegressionLoss', p=2)
model = dict(neck=dict(out_dims=108, drop_edge=0.3), target=target, loss=loss)
