/* What every kernel includes first. One build serves all Pythons from 3.11 on. */

#ifndef KERNELS_H
#define KERNELS_H

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

/* Each adds what one file defines to the module; returns -1, with an error set, where it cannot. */
int add_figures(PyObject *module);
int add_lexicon(PyObject *module);
int add_marks(PyObject *module);
int add_otlp(PyObject *module);
int add_scan(PyObject *module);
int add_vocabulary(PyObject *module);

#endif
