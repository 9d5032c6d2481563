"""Our reading of Ge2-AE with a ViT-B/16: MAE with a second decoder for the patches' spectra.

arXiv:2204.08227, of which only the abstract is at hand.
"""

_base_ = 'mae_vit-base-p16.py'

decoder = dict(
    type='mmmim.TransformerDecoder',
    in_dims=768,
    embed_dims=512,
    num_layers=8,
    num_heads=16,
    img_size=224,
    patch_size=16,
)
model = dict(
    neck=dict(
        _delete_=True,
        type='mmmim.ParallelDecoders',
        decoders=[dict(out_dims=768, **decoder), dict(out_dims=1536, **decoder)],
    ),
    target=dict(_delete_=True, type='mmmim.SpectrumTarget', patch_size=16),
    loss=dict(_delete_=True, type='mmmim.DualDomainLoss', patch_size=16, weights=[1.0, 0.5, 0.5]),
)
