from imputehub.local.detached import main

raise SystemExit(main())
