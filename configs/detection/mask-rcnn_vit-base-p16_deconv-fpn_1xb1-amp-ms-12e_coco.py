"""The 12-epoch recipe of CAE with ViT-B on one GPU of 24 GB: one image at a time, 32 accumulated
into one update, activations of blocks recomputed.

    python tools/train.py THIS --pretrained work_dirs/MY_RUN/encoder.pth

As mask-rcnn_vit-base-p16_deconv-fpn_8xb4-amp-ms-12e_coco.py, but batch norm sees the one image and
its 512 boxes. Memory and time: not measured.
"""

_base_ = ['./mask-rcnn_vit-base-p16_deconv-fpn_8xb4-amp-ms-12e_coco.py']

train_dataloader = dict(batch_size=1)
optim_wrapper = dict(accumulative_counts=32)
