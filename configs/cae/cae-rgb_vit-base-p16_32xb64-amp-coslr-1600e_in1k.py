"""CAE, ViT-B/16, 1600 epochs, pixels as targets (Table 9).

Mean squared error on per-patch normalised pixels [the paper names neither].

Command: bash tools/dist_train.sh
    configs/cae/cae-rgb_vit-base-p16_32xb64-amp-coslr-1600e_in1k.py 32
The paper's numbers (Table 9): linear 72.4, attentive 77.0, ADE20K 50.4.
"""

_base_ = 'cae_vit-base-p16_32xb64-amp-coslr-1600e_in1k.py'

model = dict(
    neck=dict(out_dims=768),
    target=dict(
        _delete_=True, type='mmmim.PixelTarget', patch_size=16, normalize='rgb', per_patch=True
    ),
    loss=dict(_delete_=True, type='mmmim.MaskedRegressionLoss', p=2),
)
