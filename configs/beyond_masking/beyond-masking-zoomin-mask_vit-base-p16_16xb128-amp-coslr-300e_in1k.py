"""Beyond Masking, integrated (a) + (m): zoom-in and 75 % masking. ViT-B/16, 300 epochs on
ImageNet-1K.

arXiv:2203.14313. The encoder sees 49 patches of the centre: no cost beyond masking alone. The
authors' repository gives 83.2 after fine-tuning; no ImageNet run of this code has been made.

Command: bash tools/dist_train.sh
    configs/beyond_masking/beyond-masking-zoomin-mask_vit-base-p16_16xb128-amp-coslr-300e_in1k.py 16
"""

_base_ = 'beyond-masking-zoomin_vit-base-p16_16xb128-amp-coslr-300e_in1k.py'

model = dict(
    corruption=dict(
        _delete_=True,
        type='mmmim.CorruptionSequence',
        steps=[
            dict(type='mmmim.ZoomIn', patch_size=16),
            dict(type='mmmim.RandomMasking', patch_size=16, mask_ratio=0.75),
        ],
    ),
    neck=dict(mask_tokens=True),
)
