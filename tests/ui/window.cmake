# Tests of the window half of ui/.
set(window_fixture ${CMAKE_SOURCE_DIR}/tests/support/fakeprovider.h ${CMAKE_SOURCE_DIR}/tests/support/windowfixture.h)
sandpiper_test(ui tst_looks LINK sandpiper_ui)
sandpiper_test(ui tst_commands LINK sandpiper_ui)
sandpiper_test(ui tst_preferences LINK sandpiper_ui)
sandpiper_test(ui tst_words LINK sandpiper_ui)
sandpiper_test(ui tst_sandboxmodel LINK sandpiper_ui SOURCES ${window_fixture})
sandpiper_test(ui tst_accounts LINK sandpiper_ui SOURCES ${window_fixture})
sandpiper_test(ui tst_mainwindow LINK sandpiper_ui SOURCES ${window_fixture} TIMEOUT 300)
