"""UperNet on a ViT-L with a table of relative positions per block."""

_base_ = ['./upernet_vit-large.py']

model = dict(
    backbone=dict(
        type='mmmim.MaskedBEiT',
        masked='drop',  # no mask token: nothing is masked here
        rel_pos='per_block',
        pos_embed='sincos',
        init='mae',
        layer_scale_init_value=0.0,
    )
)
