/* The extension module exporter.native._kernels. */

#include "kernels.h"

static struct PyModuleDef kernels = {PyModuleDef_HEAD_INIT, "_kernels", "The kernels that are written in C.", -1, NULL};

PyMODINIT_FUNC PyInit__kernels(void)
{
    PyObject *module = PyModule_Create(&kernels);
    if (module && (add_figures(module) || add_lexicon(module) || add_marks(module) || add_otlp(module) ||
                   add_scan(module) || add_vocabulary(module)))
        Py_CLEAR(module);
    return module;
}
