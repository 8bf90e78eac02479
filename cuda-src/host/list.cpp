// Lists the kernels of a library: name, module, bytes of its arguments, launch bound, layout, bytes of a row of its table. The build writes it beside the library; Java packs by it.
//   list LIBRARY MODULE SYMBOL MODULE SYMBOL …
#include <cstdio>
#include <dlfcn.h>
#include "kernel.h"

int main(int n, char** arguments) {
  void* h = dlopen(arguments[1], RTLD_NOW);
  if (!h) { fprintf(stderr, "%s\n", dlerror()); return 1; }
  for (int i = 2; i + 1 < n; i += 2) {
    auto e = static_cast<const emulation::Entry*>(dlsym(h, arguments[i + 1]));
    if (!e) { fprintf(stderr, "%s: no %s\n", arguments[1], arguments[i + 1]); return 1; }
    printf("%s %s %u %u %s %u\n", e->name, arguments[i], e->bytes, e->threads, e->layout, e->row);
  }
}
