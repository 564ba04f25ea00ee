"""CT perfusion measured on a digital phantom whose flow, volume, transit and delay are known."""
