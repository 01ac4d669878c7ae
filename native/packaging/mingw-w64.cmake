# Windows x64 by the mingw-w64 cross compiler (Debian: g++-mingw-w64-x86-64-posix). Its run-time libraries are linked in:
# what comes out needs nothing that Windows has not.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
set(CMAKE_DLLTOOL x86_64-w64-mingw32-dlltool)
set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
# No time in the file: the same source gives the same bytes.
set(GW_STATIC_RUNTIMES "-static -static-libgcc -static-libstdc++ -Wl,--no-insert-timestamp")
set(CMAKE_EXE_LINKER_FLAGS_INIT "${GW_STATIC_RUNTIMES}")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "${GW_STATIC_RUNTIMES}")
set(CMAKE_MODULE_LINKER_FLAGS_INIT "${GW_STATIC_RUNTIMES}")
