"""R-MAE on the embedded scenes (Eq. 8 of the occlusion-invariant paper), complementary views.

Command: python tools/train.py configs/demo/r-mae_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'mae_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(type='mmmim.RelaxedMIM', second='complement', weight=1.0, psnr_region='masked')
