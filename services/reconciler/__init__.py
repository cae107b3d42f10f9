"""The reconciler: repairs what lost messages and lost workers leave behind."""
