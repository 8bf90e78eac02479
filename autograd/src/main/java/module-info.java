/// Gradients: the tape, the gradient table, parameters and optimisers.
module jacquard.autograd {
  requires transitive jacquard.tensor;
  exports jacquard.autograd;
  exports jacquard.autograd.optimizer;
}
