# The workspace half of this folder: tabs, panes, prompts, closing. Included by CMakeLists.txt.
set(SANDPIPER_WORKSPACE_SOURCES
    closepolicy.h
    workspace.h workspace.cpp)
