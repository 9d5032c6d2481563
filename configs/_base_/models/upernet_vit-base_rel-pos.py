"""UperNet on a ViT-B with a table of relative positions per block, at 0 in the beginning, beside
the pre-trained position table, which is interpolated and frozen."""

_base_ = ['./upernet_vit-base.py']

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
