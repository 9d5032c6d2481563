"""CAE, ViT-B/16, 300 epochs, ImageNet-normalised pixels: the model of Fig. 3, with alignment.

`model.decode_clean(views)` draws what the decoder makes of clean images without the regressor.
300 epochs and the plain pixels [the paper says neither].

Command: bash tools/dist_train.sh
    configs/cae/cae-pixel_vit-base-p16_32xb64-amp-coslr-300e_in1k.py 32
The paper gives a figure, no number.
"""

_base_ = 'cae_vit-base-p16_32xb64-amp-coslr-300e_in1k.py'

model = dict(
    neck=dict(out_dims=768),
    target=dict(
        _delete_=True, type='mmmim.PixelTarget', patch_size=16, normalize='rgb', per_patch=False
    ),
    loss=dict(_delete_=True, type='mmmim.MaskedRegressionLoss', p=2),
)
