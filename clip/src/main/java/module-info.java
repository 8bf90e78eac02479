/// CLIP: models, losses, data, training, evaluation and the launcher.
module jacquard.clip {
  requires transitive jacquard.tensor;
  requires transitive jacquard.autograd;
  requires transitive java.desktop;
  requires transitive com.fasterxml.jackson.databind;
  requires com.google.protobuf;
  requires info.picocli;
  requires java.management;
  requires jdk.management;
  requires jacquard.emoji;
  uses javax.imageio.spi.ImageReaderSpi;
  exports jacquard.clip;
  exports jacquard.clip.checkpoint;
  exports jacquard.clip.cli to jacquard.tests;
  exports jacquard.clip.data;
  exports jacquard.clip.eval;
  exports jacquard.clip.image;
  exports jacquard.clip.loss;
  exports jacquard.clip.model;
  exports jacquard.clip.nn;
  exports jacquard.clip.report;
  exports jacquard.clip.settings;
  exports jacquard.clip.text;
  exports jacquard.clip.text.hub;
  exports jacquard.clip.text.repair;
  exports jacquard.clip.text.sentence;
  exports jacquard.clip.train;
  opens jacquard.clip.nn to jacquard.autograd;
  opens jacquard.clip.model to jacquard.autograd;
  opens jacquard.clip.cli to info.picocli;
}
