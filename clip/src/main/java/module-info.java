/// CLIP: models, losses, data, training, evaluation and the launcher.
module jacquard.clip {
  requires transitive jacquard.tensor;
  requires transitive jacquard.autograd;
  requires com.fasterxml.jackson.databind;
}
