# The window half of this folder: frame, sidebar, pages, dialogs, looks. Included by CMakeLists.txt.
set(SANDPIPER_WINDOW_SOURCES
    accountdialog.h accountdialog.cpp
    accounthub.h accounthub.cpp
    actions.h actions.cpp
    annotationcommands.h annotationcommands.cpp
    annotationdialog.h annotationdialog.cpp
    commandpalette.h commandpalette.cpp
    createdialog.h createdialog.cpp
    detailsdialog.h detailsdialog.cpp
    dialogkit.h dialogkit.cpp
    elidedline.h elidedline.cpp
    fuzzy.h fuzzy.cpp
    helpdialogs.h helpdialogs.cpp
    hostcommands.h hostcommands.cpp
    hostdialog.h hostdialog.cpp
    hostkeyspage.h hostkeyspage.cpp
    icons.h icons.cpp
    importdialog.h importdialog.cpp
    keydialogs.h keydialogs.cpp
    keysmodel.h keysmodel.cpp
    keyspage.h keyspage.cpp keyspageactions.cpp
    labelchips.h labelchips.cpp
    labelcompleter.h labelcompleter.cpp
    logdrawer.h logdrawer.cpp
    logindialog.h logindialog.cpp
    mainwindow.h mainwindow.cpp
    publicportline.h publicportline.cpp
    preferences.h preferences.cpp preferencesnetwork.cpp
    preferencesdialog.h preferencesdialog.cpp
    runcommandmodel.h runcommandmodel.cpp
    runcommandview.h runcommandview.cpp
    runcommandwindow.h runcommandwindow.cpp
    sandboxcommands.h sandboxcommands.cpp
    sandboxdelegate.h sandboxdelegate.cpp
    sandboxfilter.h sandboxfilter.cpp
    sandboxfolds.h sandboxfolds.cpp
    sandboxmenus.h sandboxmenus.cpp
    sandboxmodel.h sandboxmodel.cpp sandboxmodelsync.cpp
    sandboxpanel.h sandboxpanel.cpp
    sandboxtext.h sandboxtext.cpp
    sandboxtools.h sandboxtools.cpp
    sandboxtree.h sandboxtree.cpp
    style.h style.cpp
    theme.h theme.cpp
    welcomepage.h welcomepage.cpp)
