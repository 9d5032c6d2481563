"""R-MAE whose two views meet in histograms of gradients (MaskFeat), with drop edge (Robust MAE).

Command: bash tools/dist_train.sh
    configs/mixtures/r-mae-hog_vit-base-p16_8xb128-amp-coslr-100e_in1k.py 8
"""

_base_ = '../r_mae/r-mae_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

target = dict(_delete_=True, type='mmmim.HOGTarget', patch_size=16, pool=8)
model = dict(psnr_region=None, neck=dict(drop_edge=0.3, out_dims=108), target=target)
