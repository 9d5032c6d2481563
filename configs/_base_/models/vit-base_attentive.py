"""Attentive probe of ViT-B as CAE has it: frozen encoder, one learnt query over all its tokens."""

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='mmmim.MaskedViT',
        arch='base',
        img_size=224,
        patch_size=16,
        pos_embed='learned',  # holds the checkpoint's table, whatever its convention
        out_type='raw',
        frozen_stages=12,
        pretrained=None,
    ),
    head=dict(type='mmmim.AttentiveClsHead', num_classes=1000, in_channels=768, num_heads=12),
)
