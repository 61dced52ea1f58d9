/* Runs a SavedModel with TensorFlow's C API alone: strings in, strings out, no Python.

   run_saved_model SAVED_MODEL FEED FETCH [LIBRARY...] -- [TEXT...]

   FEED and FETCH are operation:index of a string tensor of shape [batch], as the signature has them.
   LIBRARY is a library of operations, such as tensorflow_text/python/ops/_sentencepiece_tokenizer.so.
   Each TEXT is a row of the batch; each answer is printed on a line of its own. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"

static void check(const TF_Status* status, const char* what) {
  if (TF_GetCode(status) == TF_OK) return;
  fprintf(stderr, "%s: %s\n", what, TF_Message(status));
  exit(1);
}

static TF_Output endpoint(TF_Graph* graph, const char* name) {
  char operation[256];
  int index = 0;
  if (sscanf(name, "%255[^:]:%d", operation, &index) < 1) exit(2);
  TF_Output output = {TF_GraphOperationByName(graph, operation), index};
  if (output.oper == NULL) {
    fprintf(stderr, "no operation %s in the graph\n", operation);
    exit(1);
  }
  return output;
}

static TF_Tensor* strings(int count, char** texts) {
  int64_t shape[] = {count};
  TF_Tensor* tensor = TF_AllocateTensor(TF_STRING, shape, 1, count * sizeof(TF_TString));
  TF_TString* rows = TF_TensorData(tensor);
  for (int i = 0; i < count; ++i) {
    TF_StringInit(&rows[i]);
    TF_StringCopy(&rows[i], texts[i], strlen(texts[i]));
  }
  return tensor;
}

static int python_is_around(void) {
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[4096];
  int found = 0;
  while (maps != NULL && fgets(line, sizeof line, maps)) found |= strstr(line, "libpython") != NULL;
  if (maps != NULL) fclose(maps);
  return found;
}

int main(int argc, char** argv) {
  int next = 4;
  if (argc < 5) return 2;
  TF_Status* status = TF_NewStatus();
  for (; next < argc && strcmp(argv[next], "--") != 0; ++next) {
    TF_LoadLibrary(argv[next], status);
    check(status, argv[next]);
  }
  ++next;

  const char* tags[] = {"serve"};
  TF_SessionOptions* options = TF_NewSessionOptions();
  TF_Graph* graph = TF_NewGraph();
  TF_Session* session =
      TF_LoadSessionFromSavedModel(options, NULL, argv[1], tags, 1, graph, NULL, status);
  check(status, "load");

  TF_Output feed = endpoint(graph, argv[2]), fetch = endpoint(graph, argv[3]);
  TF_Tensor* request = strings(argc - next, argv + next);
  TF_Tensor* answer = NULL;
  TF_SessionRun(session, NULL, &feed, &request, 1, &fetch, &answer, 1, NULL, 0, NULL, status);
  check(status, "run");

  const TF_TString* rows = TF_TensorData(answer);
  for (int64_t i = 0; i < TF_Dim(answer, 0); ++i) {
    fwrite(TF_StringGetDataPointer(&rows[i]), 1, TF_StringGetSize(&rows[i]), stdout);
    putchar('\n');
  }
  if (python_is_around()) {
    fprintf(stderr, "a Python library is loaded\n");
    return 1;
  }
  TF_DeleteTensor(request);
  TF_DeleteTensor(answer);
  TF_CloseSession(session, status);
  TF_DeleteSession(session, status);
  TF_DeleteGraph(graph);
  TF_DeleteSessionOptions(options);
  TF_DeleteStatus(status);
  return 0;
}
