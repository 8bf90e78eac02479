package jacquard.clip.cli;

import jacquard.clip.hub.Hub;
import jacquard.clip.hub.Published;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "download", mixinStandardHelpOptions = true, description = {"Downloads a model into the hub's cache, which Python's huggingface_hub shares, and prints where its weights lie.", "",
    "  ./jacquard download ViT-B-16-SigLIP --pretrained webli", "  ./jacquard download hf-hub:timm/ViT-B-16-SigLIP", "",
    "What is stopped goes on where it was. The environment says where and how: HF_HOME or HF_HUB_CACHE (the cache), HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE=1 (no request)."})
final class DownloadCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "MODEL", description = "hf-hub:ORG/NAME[@revision], or, with --pretrained, a model's name.") String model;
  @Option(names = "--pretrained", paramLabel = "TAG", description = "The tag of published weights (./jacquard models --tags).") String pretrained;

  @Override public Integer call() throws IOException {
    var files = new Published(Hub.current()).files(model, pretrained);
    System.out.println("weights    " + files.weights());
    if (files.tokenizer() != null) System.out.println("tokenizer  " + files.tokenizer());
    return 0;
  }
}
