"""CAE that predicts histograms of gradients (MaskFeat), with drop edge (Robust MAE); no tokenizer.

Command: bash tools/dist_train.sh
    configs/mixtures/cae-hog_vit-base-p16_32xb64-amp-coslr-800e_in1k.py 32
"""

_base_ = '../cae/cae_vit-base-p16_32xb64-amp-coslr-800e_in1k.py'

target = dict(_delete_=True, type='mmmim.HOGTarget', patch_size=16, pool=8)
loss = dict(_delete_=True, type='mmmim.MaskedRegressionLoss', p=2)
model = dict(neck=dict(out_dims=108, drop_edge=0.3), target=target, loss=loss)
