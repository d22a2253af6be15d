// What the C API's handles are.
#ifndef HANDPICK_SDK_API_HANDLES_H_
#define HANDPICK_SDK_API_HANDLES_H_

#include <atomic>
#include <cstdint>
#include <new>

#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "sdk/bundle/check_integrity.h"
#include "sdk/bundle/check_signature.h"
#include "sdk/recall/overlay.h"
#include "sdk/session/model.h"
#include "sdk/session/session.h"

struct hp_model {
  explicit hp_model(const hp_allocator* allocator) : model(allocator) {}
  handpick::Model model;
  std::atomic<uint32_t> owners{1};
  // Of debug builds (call.h): which of all models it is, and the next one that is open.
  uint64_t number = 0;
  hp_model* next = nullptr;
};

struct hp_session {
  hp_session(const handpick::Model& model, const handpick::SessionLayout& layout,
             const handpick::Threads& threads)
      : session(model, layout, threads) {}
  handpick::Session session;
};

struct hp_check {
  explicit hp_check(const handpick::Model& of)
      : model(of), hashes(*of.plan().hashes, of.bytes().data, of.bytes().size) {}

  // In place of the hashes.
  hp_status CheckSignature(const handpick::PublicKeys& keys, hp_error* error) {
    is_of_signature = true;
    new (&signature) handpick::SignatureCheck;
    return signature.Start(model.bytes().data, model.bytes().size, model.plan().hashes->signature,
                           keys, error);
  }

  hp_status Next(uint64_t bytes, int* done, hp_error* error) {
    HP_TRY(is_of_signature ? signature.Next(bytes, error) : hashes.Next(bytes, error));
    *done = (is_of_signature ? signature.done() : hashes.done()) ? 1 : 0;
    return HP_OK;
  }

  const handpick::Model& model;
  bool is_of_signature = false;
  union {
    handpick::IntegrityCheck hashes;
    handpick::SignatureCheck signature;
  };
};
static_assert(sizeof(hp_check) < 1024, "what the header says");

struct hp_recall_overlay {
  hp_recall_overlay(const handpick::RecallIndex& index, uint32_t max_items)
      : overlay(index, max_items) {}
  handpick::RecallOverlay overlay;
};

#endif  // HANDPICK_SDK_API_HANDLES_H_
