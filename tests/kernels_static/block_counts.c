/* A plugin of qemu: how often each block of a program runs. At the end it writes a line for each,
   "first last count": the addresses of its first and last instruction. What it takes of qemu's
   interface (qemu-plugin.h) is declared here, so that nothing of qemu's has to be there to compile
   it:

       cc -O2 -shared -fPIC -DVERSION=1 tests/kernels_static/block_counts.c -o libblock_counts.so

   VERSION: of the interface, 1 for qemu 7 (Debian 12), 2 for qemu 8.2 and later. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* block);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* block, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn* instruction);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
                                           void (*translated)(uint64_t id,
                                                              struct qemu_plugin_tb* block));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb* block,
                                          void (*run)(unsigned cpu, void* data), int flags,
                                          void* data);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*exits)(uint64_t id, void* data),
                                    void* data);
void qemu_plugin_outs(const char* text);

__attribute__((visibility("default"))) int qemu_plugin_version = VERSION;

/* A block is translated again where another one needs its place: then it has two of these. */
struct Block {
  uint64_t first, last, count;
  struct Block* next;
};
static struct Block* blocks;

static void Run(unsigned cpu, void* data) {
  (void)cpu;
  ++((struct Block*)data)->count;
}

static void Translated(uint64_t id, struct qemu_plugin_tb* tb) {
  (void)id;
  const size_t count = qemu_plugin_tb_n_insns(tb);
  struct Block* block = calloc(1, sizeof(*block));
  if (count == 0 || block == NULL) abort();
  block->first = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
  block->last = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, count - 1));
  block->next = blocks;
  blocks = block;
  qemu_plugin_register_vcpu_tb_exec_cb(tb, Run, 0, block);
}

static void Exits(uint64_t id, void* data) {
  (void)id;
  (void)data;
  for (const struct Block* block = blocks; block != NULL; block = block->next) {
    if (block->count == 0) continue;
    char line[80];
    snprintf(line, sizeof(line), "%" PRIx64 " %" PRIx64 " %" PRIu64 "\n", block->first, block->last,
             block->count);
    qemu_plugin_outs(line);
  }
}

__attribute__((visibility("default"))) int qemu_plugin_install(uint64_t id, const void* info,
                                                               int argc, char** argv) {
  (void)info;
  (void)argc;
  (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(id, Translated);
  qemu_plugin_register_atexit_cb(id, Exits, NULL);
  return 0;
}
