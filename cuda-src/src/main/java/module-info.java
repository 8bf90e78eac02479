/// The device code: fatbins, the list of kernels, the emulation. Resources alone, all open.
open module jacquard.cuda {}
