# Tests of the workspace half of ui/.
sandpiper_test(ui tst_bannerface LINK sandpiper_ui)
sandpiper_test(ui tst_closepolicy LINK sandpiper_ui)
sandpiper_test(ui tst_filebrowser LINK sandpiper_ui support_sftp TIMEOUT 300)
sandpiper_test(ui tst_filewords LINK sandpiper_ui)
sandpiper_test(ui tst_panes LINK sandpiper_ui)
sandpiper_test(ui tst_prompts LINK sandpiper_ui)
sandpiper_test(ui tst_tabstore LINK sandpiper_ui)
sandpiper_test(ui tst_workspace LINK sandpiper_ui support_fakes TIMEOUT 300)
