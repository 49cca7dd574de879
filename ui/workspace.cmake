# The workspace half of this folder: tabs, panes, prompts, closing. Included by CMakeLists.txt.
set(SANDPIPER_WORKSPACE_SOURCES
    bannerface.h bannerface.cpp
    closepolicy.h closepolicy.cpp
    launchform.h launchform.cpp
    launchmemory.h launchmemory.cpp
    tabface.h tabface.cpp
    tabstore.h tabstore.cpp
    workspace.h workspace.cpp)
