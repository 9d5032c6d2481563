"""Beyond Masking, integrated (a) + (m), 50 epochs: a point of the efficiency figure.

arXiv:2203.14313. The authors' repository gives 82.7 after fine-tuning; no ImageNet run of this code
has been made.

Command: bash tools/dist_train.sh
    configs/beyond_masking/beyond-masking-zoomin-mask_vit-base-p16_16xb128-amp-coslr-50e_in1k.py 16
"""

_base_ = 'beyond-masking-zoomin-mask_vit-base-p16_16xb128-amp-coslr-300e_in1k.py'

train_cfg = dict(max_epochs=50)
