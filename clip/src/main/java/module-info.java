/// CLIP: models, losses, data, training, evaluation and the launcher.
module jacquard.clip {
  requires transitive jacquard.tensor;
  requires transitive jacquard.autograd;
  requires com.fasterxml.jackson.databind;
  requires com.google.protobuf;
  requires transitive java.desktop;
  exports jacquard.clip.nn;
  exports jacquard.clip.model;
  exports jacquard.clip.loss;
  exports jacquard.clip.checkpoint;
  opens jacquard.clip.nn to jacquard.autograd;
  opens jacquard.clip.model to jacquard.autograd;
  exports jacquard.clip.report;
}
