package jacquard.kernels.cuda;

import jacquard.kernels.cuda.driver.Blas;
import jacquard.kernels.cuda.driver.Dnn;
import jacquard.kernels.cuda.driver.Driver;
import jacquard.kernels.nccl.Nccl;
import jacquard.tensor.Device;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// Vendors' libraries that do a kind of work in place of our kernels, on request: cuBLAS matrix products (`gemm`),
/// cuDNN convolutions (`conv`), NCCL sums over ranks that it joins (`sums`). Their sums are in an order of their own,
/// so that a choice changes bits. Used under the device's lock, with its context current.
public final class Vendors {
  private static final String GEMM = "gemm", CONV = "conv", OURS = "jacquard", CUBLAS = "cublas", CUDNN = "cudnn",
      SUMS = "sums", NCCL = "nccl";

  private final Driver.Context context;
  private Blas blas;
  private Dnn dnn;
  private Nccl nccl;

  Vendors(Driver.Context context) { this.context = context; }

  /// Null: our kernels.
  public Blas blas() { return blas; }

  /// Null: our kernels.
  public Dnn dnn() { return dnn; }

  /// Whether NCCL adds up in its order, where it joins the ranks; else ours, in rank order.
  boolean sums() { return nccl != null; }

  /// NCCL's sums, of this library.
  public void sums(Nccl library) { nccl = library; }

  void use(String work, String library) {
    switch (work + " " + library) {
      case GEMM + " " + OURS -> blas = null;
      case CONV + " " + OURS -> dnn = null;
      case GEMM + " " + CUBLAS -> blas = blas == null ? open(context::blas) : blas;
      case CONV + " " + CUDNN -> dnn = dnn == null ? open(context::dnn) : dnn;
      case SUMS + " " + OURS -> nccl = null;
      case SUMS + " " + NCCL -> nccl = found();
      default -> throw new IllegalArgumentException("library " + library + " for " + work
          + ": expected gemm by jacquard or cublas, conv by jacquard or cudnn, sums by jacquard or nccl");
    }
  }

  Map<String, String> used() {
    var r = new LinkedHashMap<String, String>();
    if (blas != null) r.put(GEMM, CUBLAS + " " + blas.version());
    if (dnn != null) r.put(CONV, CUDNN + " " + dnn.version());
    if (nccl != null) r.put(SUMS, NCCL + " " + nccl.version());
    return r;
  }

  private static Nccl found() {
    try { return Nccl.load(); }
    catch (IllegalArgumentException e) { throw new IllegalStateException(e.getMessage(), e); }
  }

  List<Device.Library> all() {
    return List.of(new Device.Library(GEMM, CUBLAS, missing(blas, context::blas)),
        new Device.Library(CONV, CUDNN, missing(dnn, context::dnn)),
        new Device.Library(SUMS, NCCL, missing(nccl, Vendors::found)));
  }

  private static <L> String missing(L open, Supplier<L> library) {
    if (open != null) return null;
    try {
      open(library);
      return null;
    } catch (IllegalStateException e) { return e.getMessage(); }
  }

  /// JCuda tells in pages of text that natives cannot be loaded: the loader's word is in one line of it.
  private static <L> L open(Supplier<L> library) {
    try { return library.get(); }
    catch (LinkageError e) {
      var why = String.valueOf(e.getMessage()).lines().map(String::strip)
          .filter(l -> l.contains("UnsatisfiedLinkError: ")).reduce((_, last) -> last);
      throw new IllegalStateException(why.map(l -> l.substring(l.indexOf(": ") + 2)).orElse(e.toString()), e);
    }
  }
}
