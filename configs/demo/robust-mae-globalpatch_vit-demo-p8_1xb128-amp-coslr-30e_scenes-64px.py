"""Robust MAE on the embedded scenes, target: pixels standardised per patch dimension.

Statistics first: python tools/misc/target_stats.py data/scenes/unlabeled --patch-size 8 \
    --resize 64 --crop 64 --out data/stats/scenes_p8.npz

Command: python tools/train.py
    configs/demo/robust-mae-globalpatch_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'robust-mae-pixel_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(target=dict(normalize='patch', stats='data/stats/scenes_p8.npz'))
