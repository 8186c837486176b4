"""The curated core, one file per group; read by `maxnutrition.foods.table`."""
