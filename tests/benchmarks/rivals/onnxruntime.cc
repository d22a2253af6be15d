// ONNX Runtime behind rival.h, through its C API. Compiled by run.sh, against a header and a
// library that are no part of this project.
#include <onnxruntime/onnxruntime_c_api.h>

#include <cstdio>
#include <string>
#include <vector>

#include "tests/benchmarks/rivals/rival.h"

// The process's environment, on purpose never released.
struct Ort {
  const OrtApi* api = nullptr;
  OrtEnv* environment = nullptr;
  OrtMemoryInfo* memory = nullptr;
};

static Ort ort;

// Whether `status` is success; writes its message otherwise.
static bool Ok(OrtStatus* status, char* error) {
  if (status == nullptr) return true;
  std::snprintf(error, RIVAL_ERROR_SIZE, "%s", ort.api->GetErrorMessage(status));
  ort.api->ReleaseStatus(status);
  return false;
}

struct rival_session {
  OrtSession* session = nullptr;
  std::vector<std::string> inputs;
};

struct rival_request {
  std::vector<std::string> names;
  std::vector<const char*> name_pointers;
  std::vector<OrtValue*> inputs;
  std::string output_name;
  OrtValue* output = nullptr;
};

static int Initialize(char* error) {
  if (ort.api != nullptr) return 0;
  // A newer library serves the API that the header has.
  ort.api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  if (ort.api == nullptr) {
    std::snprintf(error, RIVAL_ERROR_SIZE, "the library has no API version %d", ORT_API_VERSION);
    return 1;
  }
  const bool ok =
      Ok(ort.api->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "handpick", &ort.environment), error) &&
      Ok(ort.api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &ort.memory), error);
  return ok ? 0 : 1;
}

static bool ReadInputs(rival_session* session, char* error) {
  OrtAllocator* allocator = nullptr;
  size_t count = 0;
  if (!Ok(ort.api->GetAllocatorWithDefaultOptions(&allocator), error)) return false;
  if (!Ok(ort.api->SessionGetInputCount(session->session, &count), error)) return false;
  for (size_t i = 0; i < count; ++i) {
    char* name = nullptr;
    if (!Ok(ort.api->SessionGetInputName(session->session, i, allocator, &name), error)) {
      return false;
    }
    session->inputs.emplace_back(name);
    if (!Ok(ort.api->AllocatorFree(allocator, name), error)) return false;
  }
  return true;
}

static void Close(rival_session* session) {
  if (session == nullptr) return;
  if (session->session != nullptr) ort.api->ReleaseSession(session->session);
  delete session;
}

static rival_session* Open(const char* path, char* error) {
  OrtSessionOptions* options = nullptr;
  if (!Ok(ort.api->CreateSessionOptions(&options), error)) return nullptr;
  rival_session* session = new rival_session;
  const bool ok =
      Ok(ort.api->SetIntraOpNumThreads(options, 1), error) &&
      Ok(ort.api->SetInterOpNumThreads(options, 1), error) &&
      Ok(ort.api->SetSessionExecutionMode(options, ORT_SEQUENTIAL), error) &&
      Ok(ort.api->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL), error) &&
      Ok(ort.api->CreateSession(ort.environment, path, options, &session->session), error) &&
      ReadInputs(session, error);
  ort.api->ReleaseSessionOptions(options);
  if (ok) return session;
  Close(session);
  return nullptr;
}

static int HasInput(const rival_session* session, const char* name) {
  for (const std::string& input : session->inputs) {
    if (input == name) return 1;
  }
  return 0;
}

static void Release(rival_request* request) {
  if (request == nullptr) return;
  for (OrtValue* input : request->inputs) ort.api->ReleaseValue(input);
  if (request->output != nullptr) ort.api->ReleaseValue(request->output);
  delete request;
}

static bool AddInput(const rival_tensor& tensor, rival_request* request, char* error) {
  size_t count = 1;
  for (size_t i = 0; i < tensor.rank; ++i) count *= static_cast<size_t>(tensor.shape[i]);
  const bool is_integer = tensor.integers != nullptr;
  const void* const data = is_integer ? static_cast<const void*>(tensor.integers)
                                      : static_cast<const void*>(tensor.numbers);
  OrtValue* value = nullptr;
  // The API takes memory that may be written; inputs are not.
  if (!Ok(ort.api->CreateTensorWithDataAsOrtValue(
              ort.memory, const_cast<void*>(data),
              count * (is_integer ? sizeof(int64_t) : sizeof(float)), tensor.shape, tensor.rank,
              is_integer ? ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64
                         : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
              &value),
          error)) {
    return false;
  }
  request->inputs.push_back(value);
  request->names.emplace_back(tensor.name);
  return true;
}

static rival_request* Prepare(rival_session*, const rival_tensor* inputs, size_t input_count,
                              const char* output_name, float* output, size_t count, char* error) {
  rival_request* request = new rival_request;
  bool ok = true;
  for (size_t i = 0; ok && i < input_count; ++i) ok = AddInput(inputs[i], request, error);
  const int64_t shape = static_cast<int64_t>(count);
  ok = ok && Ok(ort.api->CreateTensorWithDataAsOrtValue(
                    ort.memory, output, count * sizeof(float), &shape, 1,
                    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &request->output),
                error);
  if (!ok) {
    Release(request);
    return nullptr;
  }
  for (const std::string& name : request->names) request->name_pointers.push_back(name.c_str());
  request->output_name = output_name;
  return request;
}

static int Run(rival_session* session, rival_request* request, char* error) {
  const char* const output_name = request->output_name.c_str();
  const bool ok = Ok(
      ort.api->Run(session->session, nullptr, request->name_pointers.data(), request->inputs.data(),
                   request->inputs.size(), &output_name, 1, &request->output),
      error);
  return ok ? 0 : 1;
}

extern "C" __attribute__((visibility("default"))) const rival_api* handpick_rival(void) {
  static const rival_api kApi = {"ONNX Runtime",
                                 OrtGetApiBase()->GetVersionString(),
                                 Initialize,
                                 Open,
                                 Close,
                                 HasInput,
                                 Prepare,
                                 Release,
                                 Run};
  return &kApi;
}
