// LiteRT (TensorFlow Lite) with XNNPACK behind rival.h, through its C API. Compiled by run.sh,
// against headers and a library that are no part of this project.
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tests/benchmarks/rivals/rival.h"
#include "tflite/c/c_api.h"
#include "tflite/delegates/xnnpack/xnnpack_delegate.h"

// A commit, or what else says which library it is.
#ifndef LITERT_VERSION
#define LITERT_VERSION "of an unknown commit"
#endif

struct rival_session {
  TfLiteModel* model = nullptr;
  TfLiteDelegate* delegate = nullptr;
  TfLiteInterpreter* interpreter = nullptr;
  std::string last_error;
};

// Where a run takes an input from. Models take ids of 32 bits.
struct Input {
  TfLiteTensor* tensor = nullptr;
  std::vector<int32_t> integers;
  const void* data = nullptr;
  size_t bytes = 0;
};

struct rival_request {
  std::vector<Input> inputs;
  const TfLiteTensor* output_tensor = nullptr;
  float* output = nullptr;
  size_t bytes = 0;
};

static void Report(void* session, const char* format, va_list arguments) {
  char text[RIVAL_ERROR_SIZE];
  std::vsnprintf(text, sizeof(text), format, arguments);
  static_cast<rival_session*>(session)->last_error = text;
}

static void Fail(const rival_session& session, const char* what, char* error) {
  std::snprintf(error, RIVAL_ERROR_SIZE, "%s: %s", what, session.last_error.c_str());
}

static int Initialize(char*) { return 0; }

static void Close(rival_session* session) {
  if (session == nullptr) return;
  if (session->interpreter != nullptr) TfLiteInterpreterDelete(session->interpreter);
  if (session->delegate != nullptr) TfLiteXNNPackDelegateDelete(session->delegate);
  if (session->model != nullptr) TfLiteModelDelete(session->model);
  delete session;
}

static rival_session* Open(const char* path, char* error) {
  rival_session* session = new rival_session;
  session->model = TfLiteModelCreateFromFile(path);
  if (session->model == nullptr) {
    Fail(*session, "no model", error);
    Close(session);
    return nullptr;
  }
  TfLiteXNNPackDelegateOptions xnnpack = TfLiteXNNPackDelegateOptionsDefault();
  xnnpack.num_threads = 1;
  xnnpack.flags |= TFLITE_XNNPACK_DELEGATE_FLAG_ENABLE_LATEST_OPERATORS;
  session->delegate = TfLiteXNNPackDelegateCreate(&xnnpack);
  TfLiteInterpreterOptions* const options = TfLiteInterpreterOptionsCreate();
  TfLiteInterpreterOptionsSetNumThreads(options, 1);
  TfLiteInterpreterOptionsSetErrorReporter(options, Report, session);
  TfLiteInterpreterOptionsAddDelegate(options, session->delegate);
  session->interpreter = TfLiteInterpreterCreate(session->model, options);
  TfLiteInterpreterOptionsDelete(options);
  if (session->interpreter == nullptr ||
      TfLiteInterpreterAllocateTensors(session->interpreter) != kTfLiteOk) {
    Fail(*session, "no interpreter", error);
    Close(session);
    return nullptr;
  }
  return session;
}

static TfLiteTensor* FindInput(const rival_session* session, const char* name) {
  const int32_t count = TfLiteInterpreterGetInputTensorCount(session->interpreter);
  for (int32_t i = 0; i < count; ++i) {
    TfLiteTensor* const tensor = TfLiteInterpreterGetInputTensor(session->interpreter, i);
    if (std::strcmp(TfLiteTensorName(tensor), name) == 0) return tensor;
  }
  return nullptr;
}

static int HasInput(const rival_session* session, const char* name) {
  return FindInput(session, name) == nullptr ? 0 : 1;
}

static void Release(rival_request* request) { delete request; }

static bool AddInput(rival_session* session, const rival_tensor& tensor, rival_request* request,
                     char* error) {
  size_t count = 1;
  for (size_t i = 0; i < tensor.rank; ++i) count *= static_cast<size_t>(tensor.shape[i]);
  Input input;
  input.tensor = FindInput(session, tensor.name);
  if (tensor.integers != nullptr) {
    for (size_t i = 0; i < count; ++i) {
      input.integers.push_back(static_cast<int32_t>(tensor.integers[i]));
    }
    input.bytes = count * sizeof(int32_t);
  } else {
    input.data = tensor.numbers;
    input.bytes = count * sizeof(float);
  }
  if (input.tensor == nullptr || TfLiteTensorByteSize(input.tensor) != input.bytes) {
    std::snprintf(error, RIVAL_ERROR_SIZE, "'%s' is no input of %zu bytes", tensor.name,
                  input.bytes);
    return false;
  }
  request->inputs.push_back(std::move(input));
  return true;
}

static rival_request* Prepare(rival_session* session, const rival_tensor* inputs,
                              size_t input_count, const char* output_name, float* output,
                              size_t count, char* error) {
  rival_request* const request = new rival_request;
  bool ok = true;
  for (size_t i = 0; ok && i < input_count; ++i) ok = AddInput(session, inputs[i], request, error);
  const int32_t outputs = TfLiteInterpreterGetOutputTensorCount(session->interpreter);
  for (int32_t i = 0; i < outputs; ++i) {
    const TfLiteTensor* const tensor = TfLiteInterpreterGetOutputTensor(session->interpreter, i);
    if (std::strcmp(TfLiteTensorName(tensor), output_name) == 0) request->output_tensor = tensor;
  }
  request->output = output;
  request->bytes = count * sizeof(float);
  if (ok && (request->output_tensor == nullptr ||
             TfLiteTensorByteSize(request->output_tensor) != request->bytes)) {
    std::snprintf(error, RIVAL_ERROR_SIZE, "'%s' is no output of %zu numbers", output_name, count);
    ok = false;
  }
  if (ok) return request;
  Release(request);
  return nullptr;
}

static int Run(rival_session* session, rival_request* request, char* error) {
  for (const Input& input : request->inputs) {
    const void* const data = input.data != nullptr ? input.data : input.integers.data();
    if (TfLiteTensorCopyFromBuffer(input.tensor, data, input.bytes) != kTfLiteOk) {
      Fail(*session, "an input", error);
      return 1;
    }
  }
  if (TfLiteInterpreterInvoke(session->interpreter) != kTfLiteOk ||
      TfLiteTensorCopyToBuffer(request->output_tensor, request->output, request->bytes) !=
          kTfLiteOk) {
    Fail(*session, "a run", error);
    return 1;
  }
  return 0;
}

extern "C" __attribute__((visibility("default"))) const rival_api* handpick_rival(void) {
  static const rival_api kApi = {"LiteRT", LITERT_VERSION, Initialize, Open, Close,
                                 HasInput, Prepare,        Release,    Run};
  return &kApi;
}
