/// CLIP: models, losses, data, training, evaluation and the launcher.
module jacquard.clip {
  requires transitive jacquard.tensor;
  requires transitive jacquard.autograd;
  requires transitive com.fasterxml.jackson.databind;
  requires java.desktop;
  uses javax.imageio.spi.ImageReaderSpi;
  exports jacquard.clip.image;
}
