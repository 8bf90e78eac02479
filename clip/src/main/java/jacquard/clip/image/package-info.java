/// From a file to the numbers that a tower sees: decoding, resizing, cropping, augmentation, normalisation.
///
/// Everything after decoding equals Pillow 13 (and torchvision on top of it) to the bit in 8-bit arithmetic, since that
/// is what published weights were trained and measured with. The order is that of OpenCLIP: a
/// [Picture][jacquard.clip.image.Picture] is resized in the mode of its file, and becomes RGB
/// ([Pixels][jacquard.clip.image.Pixels]) only afterwards.
package jacquard.clip.image;
