package jacquard.clip.cli.train.options;

import jacquard.clip.cli.options.DeviceOptions;
import jacquard.clip.cli.options.LibraryOptions;
import jacquard.clip.cli.options.RankOptions;
import jacquard.clip.train.Compute;
import jacquard.tensor.Precision;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// On what and how a training computes.
public final class ComputeOptions {
  @Option(names = "--device", paramLabel = "NAME",
      description = "cpu, cuda, or one of several as cuda:1 (default: the most capable of this machine; ./jacquard "
          + "doctor lists them).")
  String device;
  @Mixin LibraryOptions libraries;
  @Option(names = "--precision", paramLabel = "NAME",
      description = "fp32; amp_bf16: matrix products, convolutions and attention on BF16; parameters, norms, "
          + "losses and sums in F32; or amp (also fp16): the same on F16, with a scaled loss (default: "
          + "${DEFAULT-VALUE}; OpenCLIP: amp_bf16).")
  String precision = "fp32";
  @Option(names = "--grad-checkpointing",
      description = "Keeps only what goes into the blocks of the towers and runs them again in backward: less memory, "
          + "about a third more time, the same bits.")
  boolean recompute;

  public Compute compute(RankOptions ranks) {
    return new Compute(libraries.on(DeviceOptions.devices(device, ranks.first(), ranks.here())),
        Precision.named(precision), recompute, ranks.sharding(), ranks.parts(),
        ranks.offload);
  }
}
