package jacquard.clip.cli.weights;

import jacquard.clip.hub.Hub;
import jacquard.clip.hub.Published;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Downloads a model.
@Command(name = "download", mixinStandardHelpOptions = true, sortOptions = false)
public final class DownloadCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "MODEL", description =
      "hf-hub:ORG/NAME[@revision], or, with --pretrained, a model's name.")
  String model;
  @Option(names = "--pretrained", paramLabel = "TAG", description =
      "The tag of published weights (./jacquard models --tags).")
  String pretrained;

  @Override public Integer call() throws IOException {
    var files = new Published(Hub.current()).files(model, pretrained);
    System.out.println("weights    " + files.weights());
    if (files.tokenizer() != null) System.out.println("tokenizer  " + files.tokenizer());
    return 0;
  }
}
