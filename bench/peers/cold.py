"""What a user of OpenCLIP writes to embed one image: cold.py MODEL CHECKPOINT IMAGE. Prints the first feature."""
import sys

import open_clip
import torch
from PIL import Image

model, _, preprocess = open_clip.create_model_and_transforms(sys.argv[1], pretrained=sys.argv[2])
model.eval()
with torch.inference_mode():
    feature = model.encode_image(preprocess(Image.open(sys.argv[3])).unsqueeze(0), normalize=True)
print(feature[0, 0].item())
