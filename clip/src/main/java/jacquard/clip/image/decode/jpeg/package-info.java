/// JPEG files: headers read here, samples decoded by libjpeg-turbo or the platform.
package jacquard.clip.image.decode.jpeg;
