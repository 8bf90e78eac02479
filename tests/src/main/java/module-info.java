/// The kit: op specs, the double reference, the recorded cases of the real OpenCLIP.
open module jacquard.tests {
  requires jdk.httpserver;
  requires jacquard.tensor;
  requires jacquard.autograd;
  requires jacquard.kernels;
  requires jacquard.clip;
  requires com.fasterxml.jackson.databind;
  exports jacquard.tests;
  exports jacquard.tests.verify;
}
